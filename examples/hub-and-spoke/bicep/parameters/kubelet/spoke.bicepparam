using '../../spoke.bicep'

param location = 'eastus'
param userHardeningRules = [
  {
    name: 'deny-kubelet-from-elsewhere'
    properties: {
      priority: 110
      direction: 'Inbound'
      access: 'Deny'
      protocol: 'Tcp'
      sourcePortRange: '*'
      sourceAddressPrefix: '10.1.0.0/22'
      destinationAddressPrefix: '10.1.4.0/22'
      destinationPortRange: '10250'
    }
  }
]
