"""What an engineer would pick instead. Each rival fits the data and becomes a Boolean graph."""
