variable "location" {
  type    = string
  default = "eastus"
}

variable "node_prefixes" {
  description = "Address range of each node subnet, by node pool."
  type        = map(string)
  default = {
    system = "10.1.0.0/22"
    user   = "10.1.4.0/22"
  }
}

variable "pod_cidr" {
  description = "Overlay range of the pods; it is not part of any virtual network."
  type        = string
  default     = "10.244.0.0/16"
}

variable "firewall_rules" {
  description = "What the nodes may send through the firewall by address."
  type = map(object({
    protocol      = string
    port          = string
    regional_tags = optional(list(string), [])
    names         = optional(list(string), [])
  }))
}

variable "https_destination" {
  description = "Where the nodes of each pool may go on TCP 443, as a network security group sees it."
  type        = map(string)
  default = {
    system = "Internet"
    user   = "Internet"
  }
}

variable "hardening_rules" {
  description = "Inbound rules that the security team puts before all others, by node pool."
  type = map(list(object({
    name     = string
    priority = number
    access   = string
    protocol = string
    port     = string
    source   = string
    target   = string
  })))
  default = {}
}
