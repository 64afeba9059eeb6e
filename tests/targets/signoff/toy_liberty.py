"""A small Liberty library whose delays and energies can be worked out by hand."""

from __future__ import annotations

LIBRARY = """
library (toy) {
  time_unit : "1ps";
  voltage_unit : "1V";
  leakage_power_unit : "1pW";
  pulling_resistance_unit : "1kohm";
  capacitive_load_unit (1, ff);
  nom_voltage : 2.0;
  nom_temperature : 25;
  voltage_map (VGND, 0.0);
  default_wire_load : "none_at_all";
  wire_load ("metres") {
    capacitance : 2;
    resistance : 0;
    slope : 5;
    fanout_length (1, 10);
    fanout_length (3, 30);
  }
  lu_table_template (delay) {
    variable_1 : total_output_net_capacitance;
    variable_2 : input_net_transition;
    index_1 ("0, 10");
    index_2 ("0, 100");
  }
  lu_table_template (setup) {
    variable_1 : constrained_pin_transition;
    index_1 ("0, 100");
  }
  power_lut_template (by_slew) {
    variable_1 : input_transition_time;
    index_1 ("0, 100");
  }
  cell (INV) {
    area : 1;
    leakage_power () { value : 4; when : "A"; related_pg_pin : VPWR; }
    leakage_power () { value : 8; when : "!A"; related_pg_pin : VPWR; }
    leakage_power () { value : 100; when : "!A"; related_pg_pin : VGND; }
    pin (A) { direction : input; capacitance : 2; rise_capacitance : 3; fall_capacitance : 1;
      internal_power () {
        rise_power (by_slew) { values ("1, 1"); } fall_power (by_slew) { values ("3, 3"); } }
    }
    pin (Y) { direction : output; function : "!A";
      timing () { related_pin : "A"; timing_sense : negative_unate;
        cell_rise (delay) { values ("10, 30", "30, 50"); }
        cell_fall (delay) { values ("20, 40", "60, 80"); }
        rise_transition (delay) { values ("40, 40", "80, 80"); }
        fall_transition (delay) { values ("20, 20", "60, 60"); }
      }
      internal_power () { related_pin : "A"; related_pg_pin : VPWR;
        rise_power (scalar) { values ("5"); } fall_power (scalar) { values ("7"); } }
      internal_power () { related_pin : "A"; related_pg_pin : VGND;
        rise_power (scalar) { values ("1000"); } fall_power (scalar) { values ("1000"); } }
    }
  }
  cell (NAND2) {
    area : 1; cell_leakage_power : 6;
    leakage_power () { value : 10; when : "A * B"; }
    pin (A) { direction : input; capacitance : 2; }
    pin (B) { direction : input; capacitance : 2; rise_capacitance_range (1, 4); }
    pin (Y) { direction : output; function : "!(A B)";
      timing () { related_pin : "A B";
        cell_rise (scalar) { values ("15"); } cell_fall (scalar) { values ("25"); }
        rise_transition (scalar) { values ("0"); } fall_transition (scalar) { values ("100"); }
      }
      internal_power () { related_pin : "A";
        rise_power (scalar) { values ("2"); } fall_power (scalar) { values ("4"); } }
      internal_power () { related_pin : "B"; when : "A";
        rise_power (scalar) { values ("20"); } fall_power (scalar) { values ("40"); } }
      internal_power () { related_pin : "B";
        rise_power (scalar) { values ("7"); } fall_power (scalar) { values ("7"); } }
    }
  }
  cell (BUF) {
    area : 1; cell_leakage_power : 1;
    pin (A) { direction : input; capacitance : 1; }
    pin (X) { direction : output; function : "A";
      timing () { related_pin : "A";
        cell_rise (scalar) { values ("5"); } cell_fall (scalar) { values ("5"); }
        rise_transition (scalar) { values ("1"); } fall_transition (scalar) { values ("1"); }
      } }
  }
  cell (DFF) {
    area : 4; cell_leakage_power : 30;
    ff (IQ, IQN) { clocked_on : "C"; next_state : "D"; }
    pin (C) { direction : input; clock : true; capacitance : 1;
      internal_power () { when : "D";
        rise_power (by_slew) { values ("8, 9"); } fall_power (by_slew) { values ("2, 9"); } }
      internal_power () { when : "!D";
        rise_power (by_slew) { values ("1, 9"); } fall_power (by_slew) { values ("1, 9"); } }
    }
    pin (D) { direction : input; capacitance : 5;
      timing () { related_pin : "C"; timing_type : setup_rising;
        rise_constraint (setup) { values ("30, 50"); } fall_constraint (setup) { values ("40, 60"); } }
    }
    pin (Q) { direction : output; function : "IQ";
      timing () { related_pin : "C"; timing_type : rising_edge; timing_sense : non_unate;
        cell_rise (scalar) { values ("100"); } cell_fall (scalar) { values ("110"); }
        rise_transition (scalar) { values ("10"); } fall_transition (scalar) { values ("20"); } }
      internal_power () { related_pin : "C";
        rise_power (scalar) { values ("50"); } fall_power (scalar) { values ("60"); } }
    }
    pin (QN) { direction : output; function : "IQN"; }
  }
}
"""
