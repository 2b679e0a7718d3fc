import { defineConfig } from 'vitest/config';
import LongestFirst from './test/support/longest-first.js';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    isolate: false, // a worker loads the program once, not for each file; no test leaves anything behind in it
    maxWorkers: 4, // more than cores: a good part of the time tests wait for leases, due times and children
    sequence: { sequencer: LongestFirst },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 10_000 } }, // what is waited for comes when it comes; a machine that has much to do is not a failure
    retry: 0,
    reporters: ['default', './test/support/count-reporter.ts'],
  },
});
