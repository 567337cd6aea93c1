%{ for addr in addrs ~}
backend ${addr}:${port}
%{ endfor ~}
end $${x} \n
