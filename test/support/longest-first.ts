import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longest, most of it waiting; what starts last must not be one of them. The rest goes by size. */
const longest = [
  'processes/crash',
  'console/console',
  'processes/crash-acts',
  'processes/crash-walk',
  'processes/start',
  'handlers/conformance',
  'sim/sim',
  'processes/infrastructure',
  'processes/cli',
  'processes/infrastructure-limits',
  'processes/infrastructure-others',
  'processes/cluster',
  'integration/lies',
];

const place = ({ moduleId }: TestSpecification): number => {
  const found = longest.findIndex((name) => moduleId.endsWith(`test/${name}.test.ts`));
  return found === -1 ? longest.length : found;
};

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}
