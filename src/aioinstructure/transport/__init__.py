"""The layers between a bound call and the network; `pipeline` defines their order."""
