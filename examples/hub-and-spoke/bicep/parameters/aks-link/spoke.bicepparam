using '../../spoke.bicep'

param location = 'eastus'
