"""The layers between a bound call and the network, one file each; `pipeline` has their order."""
