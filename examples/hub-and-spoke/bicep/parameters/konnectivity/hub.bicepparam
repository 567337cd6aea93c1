using '../../hub.bicep'
extends '../hub.bicepparam'
