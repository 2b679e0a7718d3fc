/** One thing that lunchbox depends on, and whether it is well. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** One line, when it failed. */
  readonly whatToDo?: string;
}

export function well(name: string, detail: string): Check {
  return { name, ok: true, detail };
}

export function failed(name: string, detail: string, whatToDo: string): Check {
  return { name, ok: false, detail, whatToDo };
}
