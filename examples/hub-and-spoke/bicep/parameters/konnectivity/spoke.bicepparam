using '../../spoke.bicep'

param location = 'eastus'
param systemHttpsDestination = '10.0.0.4'
