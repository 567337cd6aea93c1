// Spoke network with the AKS cluster. Deployed to rg-spoke, after the hub.

import { securityRule } from 'modules/rules.bicep'

param location string = resourceGroup().location
param hubResourceGroup string = 'rg-hub'

@description('Private address of the hub\'s firewall: output firewallAddress of the hub\'s deployment.')
param firewallAddress string = '10.0.0.4'

param podCidr string = '10.244.0.0/16'

@description('Where the nodes of each pool may go on TCP 443, as a network security group sees it.')
param systemHttpsDestination string = 'Internet'
param userHttpsDestination string = 'Internet'

@description('Inbound rules that the security team puts before all others on the user nodes.')
param userHardeningRules securityRule[] = []

type pool = {
  name: string
  prefix: string
  httpsDestination: string
  hardeningRules: securityRule[]
}

var pools pool[] = [
  {
    name: 'system'
    prefix: cidrSubnet('10.1.0.0/16', 22, 0)
    httpsDestination: systemHttpsDestination
    hardeningRules: []
  }
  {
    name: 'user'
    prefix: cidrSubnet('10.1.0.0/16', 22, 1)
    httpsDestination: userHttpsDestination
    hardeningRules: userHardeningRules
  }
]

resource hub 'Microsoft.Network/virtualNetworks@2024-05-01' existing = {
  name: 'vnet-hub'
  scope: resourceGroup(hubResourceGroup)
}

module groups 'modules/security-group.bicep' = [
  for pool in pools: {
    name: 'security-group-${pool.name}'
    params: {
      name: 'nsg-${pool.name}'
      location: location
      clusterPrefixes: [...map(pools, one => one.prefix), podCidr]
      resolver: firewallAddress
      nodePrefix: pool.prefix
      httpsDestination: pool.httpsDestination
      hardeningRules: pool.hardeningRules
    }
  }
]

resource routes 'Microsoft.Network/routeTables@2024-05-01' = {
  name: 'rt-spoke'
  location: location
  properties: {
    disableBgpRoutePropagation: true
    routes: [
      {
        name: 'default-to-firewall'
        properties: {
          addressPrefix: '0.0.0.0/0'
          nextHopType: 'VirtualAppliance'
          nextHopIpAddress: firewallAddress
        }
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: 'vnet-spoke'
  location: location
  properties: {
    addressSpace: {
      addressPrefixes: ['10.1.0.0/16']
    }
    dhcpOptions: {
      dnsServers: [firewallAddress]
    }
    subnets: [
      for (pool, i) in pools: {
        name: 'snet-${pool.name}'
        properties: {
          addressPrefix: pool.prefix
          networkSecurityGroup: {
            id: groups[i].outputs.id
          }
          routeTable: {
            id: routes.id
          }
        }
      }
    ]
  }

  resource toHub 'virtualNetworkPeerings' = {
    name: 'peer-spoke-to-hub'
    properties: {
      remoteVirtualNetwork: {
        id: hub.id
      }
      allowVirtualNetworkAccess: true
      allowForwardedTraffic: true
      allowGatewayTransit: false
      useRemoteGateways: false
    }
  }
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-aks-shop'
  location: location
}

resource cluster 'Microsoft.ContainerService/managedClusters@2024-09-01' = {
  name: 'aks-shop'
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    dnsPrefix: 'shop'
    agentPoolProfiles: [
      {
        name: 'system'
        mode: 'System'
        count: 3
        vmSize: 'Standard_D4ds_v5'
        osType: 'Linux'
        nodeTaints: ['CriticalAddonsOnly=true:NoSchedule']
        vnetSubnetID: network.properties.subnets[0].id
      }
      {
        name: 'user'
        mode: 'User'
        count: 3
        vmSize: 'Standard_D8ds_v5'
        osType: 'Linux'
        vnetSubnetID: network.properties.subnets[1].id
      }
    ]
    networkProfile: {
      networkPlugin: 'azure'
      networkPluginMode: 'overlay'
      outboundType: 'userDefinedRouting'
      podCidr: podCidr
      serviceCidr: '172.16.0.0/16'
      dnsServiceIP: '172.16.0.10'
      loadBalancerSku: 'standard'
    }
  }
}
