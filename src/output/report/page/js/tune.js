function tuneSections() { return []; }
