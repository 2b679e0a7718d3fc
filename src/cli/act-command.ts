import os from 'node:os';
import type { Command } from 'commander';
import { Problem } from '../base/problems.js';
import type { Act, AnyAct, Target } from '../operate/acts/act.js';
import { actOf, exit, Stop } from './shared.js';

export interface SignedOptions {
  readonly as: string;
  readonly reason?: string;
}

/** The command of an act below `parent`, with what its row of the table says. `usage`: its last word and its arguments. */
export function actCommand(
  parent: Command,
  act: Pick<AnyAct, 'name' | 'reason' | 'command'>,
  usage: string,
  why = 'why; kept in the audit',
): Command {
  if ('none' in act.command) throw new Error(`${act.name} has no command: ${act.command.none}`);
  const command = parent.command(usage).description(act.command.says);
  if (act.reason === 'required') command.requiredOption('--reason <text>', why);
  if (act.reason === 'over-http') command.option('--reason <text>', why);
  return signed(command);
}

export function signed(command: Command): Command {
  return command.option('--as <name>', 'who you are; kept in the audit', os.userInfo().username);
}

/** Carries an act out. A refusal ends the command: exit 3 where nothing is there, exit 5 where the state forbids it. */
export async function carryOut<Needs, Stated extends object, Answer>(
  act: Act<Needs, Stated, Answer>,
  needs: Needs,
  stated: Stated & { readonly id?: string },
  options: SignedOptions,
): Promise<Answer> {
  const target: Target<Stated> = { id: '', ...stated };
  return act.run(needs, target, actOf(options)).catch((error: unknown) => {
    throw error instanceof Problem ? refused(act, target, error) : error;
  });
}

function refused<Stated extends object>(
  { command, on }: Pick<Act<never, Stated>, 'command' | 'on'>,
  target: Target<Stated>,
  problem: Problem,
): Error {
  const says = 'none' in command ? undefined : command;
  if (problem.code === 'not-found')
    return new Stop(exit.notFound, says?.notFound?.(target) ?? `there is no ${on} ${target.id}`);
  if (problem.status !== 409) return problem;
  if (says?.conflict) return new Stop(exit.conflict, says.conflict(problem, target));
  const { detail = says?.rule, more } = problem.details;
  const state = `${on} ${target.id} is ${String(more?.currentStatus)}`;
  return new Stop(exit.conflict, detail === undefined ? state : `${state}: ${detail}`);
}
