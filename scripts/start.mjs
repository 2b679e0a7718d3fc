import { ensureBuilt } from './ensure-built.mjs';

process.env.NODE_ENV ??= 'development';
ensureBuilt();
await import('../dist/start.js');
