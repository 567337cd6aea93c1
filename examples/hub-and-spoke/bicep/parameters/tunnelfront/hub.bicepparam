using '../../hub.bicep'
extends '../hub.bicepparam'

param firewallRules = [
  { name: 'api-server', protocol: 'TCP', port: '443', regionalTag: 'AzureCloud' }
  { name: 'tunnel-udp', protocol: 'UDP', port: '1194', regionalTag: 'AzureCloud' }
  { name: 'time-servers', protocol: 'UDP', port: '123', hostNames: ['ntp.ubuntu.com'] }
]
