using '../../hub.bicep'
extends '../hub.bicepparam'

param firewallRules = [
  { name: 'api-server', protocol: 'TCP', port: '443', regionalTag: 'AzureCloud' }
  { name: 'tunnel-tcp', protocol: 'TCP', port: '9000', regionalTag: 'AzureCloud' }
  { name: 'time-servers', protocol: 'UDP', port: '123', hostNames: ['ntp.ubuntu.com'] }
]
