// Hub network: Azure Firewall with the rules that AKS needs. Deployed to rg-hub.

import { firewallRule } from 'modules/rules.bicep'

param location string = 'eastus'
param spokeResourceGroup string = 'rg-spoke'
param nodePrefixes string[] = ['10.1.0.0/22', '10.1.4.0/22']
param firewallRules firewallRule[]

resource spoke 'Microsoft.Network/virtualNetworks@2024-05-01' existing = {
  name: 'vnet-spoke'
  scope: resourceGroup(spokeResourceGroup)
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: 'vnet-hub'
  location: location
  properties: {
    addressSpace: {
      addressPrefixes: ['10.0.0.0/16']
    }
  }

  resource firewallSubnet 'subnets' = {
    name: 'AzureFirewallSubnet'
    properties: {
      addressPrefix: cidrSubnet('10.0.0.0/16', 26, 0)
    }
  }

  resource toSpoke 'virtualNetworkPeerings' = {
    name: 'peer-hub-to-spoke'
    properties: {
      remoteVirtualNetwork: {
        id: spoke.id
      }
      allowVirtualNetworkAccess: true
      allowForwardedTraffic: true
      allowGatewayTransit: false
      useRemoteGateways: false
    }
  }
}

resource publicAddress 'Microsoft.Network/publicIPAddresses@2024-05-01' = {
  name: 'pip-fw-hub'
  location: location
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIPAllocationMethod: 'Static'
  }
}

resource nodes 'Microsoft.Network/ipGroups@2024-05-01' = {
  name: 'ipg-aks-nodes'
  location: location
  properties: {
    ipAddresses: nodePrefixes
  }
}

resource policy 'Microsoft.Network/firewallPolicies@2024-05-01' = {
  name: 'afwp-hub'
  location: location
  properties: {
    sku: {
      tier: 'Standard'
    }
    dnsSettings: {
      enableProxy: true
    }
  }
}

var names = [
  {
    name: 'images'
    targetFqdns: ['ghcr.io', 'pkg-containers.githubusercontent.com', 'mcrprod.azurecr.io']
  }
  {
    name: 'telemetry'
    targetFqdns: ['dc.services.visualstudio.com']
  }
]

resource rules 'Microsoft.Network/firewallPolicies/ruleCollectionGroups@2024-05-01' = {
  parent: policy
  name: 'rcg-aks'
  properties: {
    priority: 200
    ruleCollections: [
      {
        ruleCollectionType: 'FirewallPolicyFilterRuleCollection'
        name: 'aks-network'
        priority: 100
        action: {
          type: 'Allow'
        }
        rules: [
          for rule in firewallRules: {
            ruleType: 'NetworkRule'
            name: rule.name
            ipProtocols: [rule.protocol]
            sourceAddresses: nodePrefixes
            destinationAddresses: contains(rule, 'regionalTag') ? ['${rule.?regionalTag}.${location}'] : []
            destinationFqdns: rule.?hostNames ?? []
            destinationPorts: [rule.port]
          }
        ]
      }
      {
        ruleCollectionType: 'FirewallPolicyFilterRuleCollection'
        name: 'aks-names'
        priority: 200
        action: {
          type: 'Allow'
        }
        rules: concat(
          [
            {
              ruleType: 'ApplicationRule'
              name: 'aks-core'
              sourceIpGroups: [nodes.id]
              fqdnTags: ['AzureKubernetesService']
              protocols: [
                { protocolType: 'Http', port: 80 }
                { protocolType: 'Https', port: 443 }
              ]
            }
          ],
          map(names, rule => {
            ruleType: 'ApplicationRule'
            name: rule.name
            sourceIpGroups: [nodes.id]
            targetFqdns: rule.targetFqdns
            protocols: [{ protocolType: 'Https', port: 443 }]
          })
        )
      }
    ]
  }
}

resource firewall 'Microsoft.Network/azureFirewalls@2024-05-01' = {
  name: 'fw-hub'
  location: location
  properties: {
    sku: {
      name: 'AZFW_VNet'
      tier: 'Standard'
    }
    firewallPolicy: {
      id: policy.id
    }
    ipConfigurations: [
      {
        name: 'default'
        properties: {
          subnet: {
            id: network::firewallSubnet.id
          }
          publicIPAddress: {
            id: publicAddress.id
          }
        }
      }
    ]
  }
  dependsOn: [rules]
}

output firewallAddress string = firewall.properties.ipConfigurations[0].properties.privateIPAddress
