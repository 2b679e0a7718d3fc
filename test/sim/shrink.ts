import { type SimOptions, type SimResult, simulate } from './simulate.js';
import { type Step, stepsOf } from './steps.js';

export interface Shrunk {
  readonly steps: readonly Step[];
  readonly faults: number;
  readonly result: SimResult;
}

/** Leaves out steps, then faults, as long as something like `about` is still violated: what is left is the story. */
export async function shrink(
  seed: number,
  options: Pick<SimOptions, 'without'>,
  about = /./,
): Promise<Shrunk> {
  let steps: readonly Step[] = stepsOf(seed);
  let spared: ReadonlySet<number> = new Set();
  let result = await simulate(seed, options);
  const stillFails = async (fewer: readonly Step[], sparing: ReadonlySet<number>): Promise<boolean> => {
    const tried = await simulate(seed, { ...options, steps: fewer, spared: sparing });
    if (!tried.violations.some((violation) => about.test(violation))) return false;
    [steps, spared, result] = [fewer, sparing, tried];
    return true;
  };
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let from = 0; from < steps.length; )
      if (!(await stillFails([...steps.slice(0, from), ...steps.slice(from + size)], spared))) from += size;
  for (let fault = 1; fault <= result.faults; fault++)
    if (!spared.has(fault)) await stillFails(steps, new Set([...spared, fault]));
  return {
    steps,
    faults: result.faults - [...spared].filter((fault) => fault <= result.faults).length,
    result,
  };
}
