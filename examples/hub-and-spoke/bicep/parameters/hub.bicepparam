// The hub as it should be; the variants start from here.
using '../hub.bicep'

param firewallRules = [
  { name: 'api-server', protocol: 'TCP', port: '443', regionalTag: 'AzureCloud' }
  { name: 'tunnel-tcp', protocol: 'TCP', port: '9000', regionalTag: 'AzureCloud' }
  { name: 'tunnel-udp', protocol: 'UDP', port: '1194', regionalTag: 'AzureCloud' }
  { name: 'time-servers', protocol: 'UDP', port: '123', hostNames: ['ntp.ubuntu.com'] }
]
