import type { Reporter, TestModule } from 'vitest/node';

/** The plain closing line that any reader of any language understands. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string): number => tests.filter((test) => test.result().state === state).length;
    const broken = modules.filter(
      (module) => module.state() === 'failed' && [...module.children.allTests('failed')].length === 0,
    ).length;
    console.log(`\n${count('passed')} passed, ${count('failed') + broken + errors.length} failed`);
  }
}
