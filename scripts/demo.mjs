import { ensureBuilt } from './ensure-built.mjs';

ensureBuilt();
await import('../dist/dev/demo.js');
