import { Command, CommanderError } from 'commander';
import { SettingsInvalid } from './app/settings.js';
import { Problem } from './base/problems.js';
import { addBatch } from './cli/batch.js';
import { addBooks } from './cli/books.js';
import { addComplaints } from './cli/complaints.js';
import { addControls } from './cli/controls.js';
import { addEventTypes } from './cli/event-types.js';
import { addEvents } from './cli/events.js';
import { addLook } from './cli/look.js';
import { endQuietly, ownLines, say } from './cli/print.js';
import { addSetUp } from './cli/set-up.js';
import { exit, Stop } from './cli/shared.js';
import { addStories } from './cli/stories.js';

const program = new Command('lunchbox')
  .description('The operator’s command. Settings come from the environment, as for the servers.')
  .enablePositionalOptions() // `books` and `books repair` both take --day
  .exitOverride()
  .showHelpAfterError()
  .configureOutput({
    writeOut: (text) => void process.stdout.write(ownLines(text)),
    writeErr: (text) => void process.stderr.write(ownLines(text)),
  });
for (const add of [
  addSetUp,
  addEvents,
  addEventTypes,
  addLook,
  addBatch,
  addControls,
  addBooks,
  addComplaints,
  addStories,
])
  add(program);
if (process.env.NODE_ENV !== 'production') (await import('./dev/commands.js')).addDevCommands(program);

endQuietly();
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exit.ok : exit.usage;
  else {
    for (const line of linesOf(error)) say(line);
    process.exitCode =
      error instanceof Stop ? error.code : error instanceof SettingsInvalid ? exit.usage : exit.failed;
  }
}

function linesOf(error: unknown): readonly string[] {
  if (error instanceof Stop) return error.lines;
  if (error instanceof SettingsInvalid)
    return ['invalid settings:', ...error.problems.map((problem) => `  ${problem}`)];
  if (error instanceof Problem) return [`${error.message}: ${JSON.stringify(error.details.errors ?? '')}`];
  return [`failed: ${(error as Error).message}`];
}
