"""Hand-off to LibreLane, the open flow from Verilog to layout: configuration, constraints and pin order."""
