"""The registry the emulator serves where no catalogue is given: four years of a made-up company."""
