"""Graph -> Plan -> Program: scheduling, memory, emission and replay."""
