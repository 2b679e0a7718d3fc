import { defineConfig } from 'vitest/config';

/** `npm run test:browser`: the console in headless Chromium. */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.browser.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    retry: 0,
    bail: 0,
    sequence: { concurrent: false },
    reporters: ['default', './test/support/count-reporter.ts'],
  },
});
