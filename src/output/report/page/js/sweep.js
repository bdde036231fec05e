function sweepSections() { return []; }
