"""The registry that the emulator serves without a catalogue: four years of a made-up company."""
