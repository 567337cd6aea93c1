variable "text" { default = "abc" }
variable "number" {
  type    = number
  default = "42"
}
variable "flag" {
  type    = bool
  default = "true"
}
variable "nothing" {
  type    = string
  default = null
}
variable "list" {
  type    = list(string)
  default = ["a", 1, true]
}
variable "set" {
  type    = set(string)
  default = ["b", "a", "b"]
}
variable "map" {
  type    = map(string)
  default = { a = 1, b = "2" }
}
variable "tuple" {
  type    = tuple([string, number])
  default = [1, "2"]
}
variable "any" {
  type    = any
  default = { a = [1, "x"] }
}
variable "object" {
  type = object({
    name      = string
    optional  = optional(string)
    defaulted = optional(number, 7)
    nested = optional(object({
      a = optional(bool, true)
      b = optional(list(string), ["x"])
    }), {})
  })
  default = { name = "n", ignored = 1 }
}
variable "objects" {
  type = list(object({ name = string, ports = list(number) }))
  default = [
    { name = "web", ports = ["80", 443] },
    { name = "dns", ports = [53] },
  ]
}
variable "nullable_default" {
  type     = string
  nullable = false
  default  = "d"
}
variable "converted" {
  type    = map(list(number))
  default = { a = ["1", 2] }
}
variable "subnets" {
  type = map(object({
    prefix    = string
    tags      = optional(list(string), ["t"])
    delegated = optional(bool, false)
  }))
  default = {
    nodes = { prefix = "10.0.0.0/24", delegated = "true" }
    pods  = { prefix = "10.0.1.0/24", tags = ["p", "t"] }
  }
}

locals {
  template     = "hello $${name}"
  chain        = "${local.one}-two"
  one          = upper(var.text)
  merged       = merge({ for o in var.objects : o.name => o.ports }, { extra = [] })
  by_name      = { for o in var.objects : o.name => o }
  subnets      = [for name, s in var.subnets : { name = name, prefix = s.prefix, delegated = s.delegated }]
  rules        = flatten([for o in var.objects : [for p in o.ports : { key = "${o.name}-${p}", port = p }]])
  conditional_list = concat(["a"], var.flag ? ["b"] : [], false ? ["c"] : [])
  heredoc      = <<EOT
line one ${var.text}
  line two "quoted" \n
%{ if var.flag }
flagged
%{ endif }
EOT
  flush        = <<-EOT
    four
      six ${var.text}
    ${var.text} four
  EOT
  flush_blank  = <<-EOT
    a

      b

    c
    EOT
  flush_tabs   = <<-EOT
		x
		  y
	EOT
  flush_space  = <<-EOT
      a
  
      b
    EOT
  flush_interp = <<-EOT
      a
    ${var.text}
        b
      EOT
  directive    = <<EOT
%{ for o in var.objects ~}
server ${o.name}
%{ endfor ~}
end
EOT
  markers      = <<-EOT
    %{ for i in [1, 2] ~}
      item ${i}
        deeper
    %{ endfor ~}
    done ${~ var.text ~}
    after
  EOT
  nested_for   = <<EOT
%{ for o in var.objects }%{ for p in o.ports ~}
${o.name}:${p}
%{ endfor }%{ endfor }
EOT
  heredoc_json = jsonencode(<<EOT
a\b "c" 	d
EOT
  )
}
