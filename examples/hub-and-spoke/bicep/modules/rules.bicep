// What both networks write their rules with.

@export()
@description('What the nodes may send through the firewall by address: either the service tag (the region is appended) or the host names it is for.')
type firewallRule = {
  name: string
  protocol: 'TCP' | 'UDP'
  port: string
  regionalTag: string?
  hostNames: string[]?
}

@export()
type securityRule = {
  name: string
  properties: {
    @minValue(100)
    @maxValue(4096)
    priority: int
    direction: 'Inbound' | 'Outbound'
    access: 'Allow' | 'Deny'
    protocol: 'Tcp' | 'Udp' | '*'
  }
}

@export()
func allowOut(name string, priority int, protocol string, sources array, destination string, port string) object => {
  name: name
  properties: {
    priority: priority
    direction: 'Outbound'
    access: 'Allow'
    protocol: protocol
    sourcePortRange: '*'
    sourceAddressPrefixes: sources
    destinationAddressPrefix: destination
    destinationPortRange: port
  }
}

@export()
func denyAll(name string, direction string) object => {
  name: name
  properties: {
    priority: 4096
    direction: direction
    access: 'Deny'
    protocol: '*'
    sourcePortRange: '*'
    sourceAddressPrefix: '*'
    destinationAddressPrefix: '*'
    destinationPortRange: '*'
  }
}
