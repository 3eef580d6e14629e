"""What every part stands on: settings, database, events, bus, files, jobs, clock, pages, processes."""
