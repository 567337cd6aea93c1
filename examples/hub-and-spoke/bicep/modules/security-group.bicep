// The security group of one node subnet: what every subnet allows, and what is its own.

import { allowOut, denyAll, securityRule } from 'rules.bicep'

param name string
param location string

@description('Address ranges of the nodes and pods of the cluster.')
param clusterPrefixes string[]

@description('Who answers DNS queries: the firewall.')
param resolver string

@description('Address range of the nodes in this subnet.')
param nodePrefix string

@description('Where the nodes may go on TCP 443, as a network security group sees it.')
param httpsDestination string

@description('Rules that stand before all others.')
param hardeningRules securityRule[] = []

var clusterRules = [
  for direction in ['Outbound', 'Inbound']: {
    name: direction == 'Outbound' ? 'allow-cluster-out' : 'allow-cluster-in'
    properties: {
      priority: direction == 'Outbound' ? 100 : 200
      direction: direction
      access: 'Allow'
      protocol: '*'
      sourcePortRange: '*'
      sourceAddressPrefixes: clusterPrefixes
      destinationAddressPrefixes: clusterPrefixes
      destinationPortRange: '*'
    }
  }
]

resource group 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: name
  location: location
  properties: {
    securityRules: [
      allowOut('allow-dns-out', 110, '*', clusterPrefixes, resolver, '53')
      allowOut('allow-https-out', 120, 'Tcp', [nodePrefix], httpsDestination, '443')
      allowOut('allow-http-out', 130, 'Tcp', clusterPrefixes, 'Internet', '80')
      allowOut('allow-tunnel-tcp-out', 140, 'Tcp', clusterPrefixes, 'AzureCloud.${location}', '9000')
      allowOut('allow-tunnel-udp-out', 150, 'Udp', clusterPrefixes, 'AzureCloud.${location}', '1194')
      allowOut('allow-ntp-out', 160, 'Udp', clusterPrefixes, 'Internet', '123')
      denyAll('deny-all-out', 'Outbound')
      {
        name: 'allow-probes-in'
        properties: {
          priority: 210
          direction: 'Inbound'
          access: 'Allow'
          protocol: '*'
          sourcePortRange: '*'
          sourceAddressPrefix: 'AzureLoadBalancer'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
      denyAll('deny-all-in', 'Inbound')
      ...clusterRules
      ...hardeningRules
    ]
  }
}

output id string = group.id
