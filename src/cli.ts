import { Command, CommanderError } from 'commander';
import { addBatch } from './cli/batch.js';
import { addBooks } from './cli/books.js';
import { addControls } from './cli/controls.js';
import { addEvents } from './cli/events.js';
import { addLook } from './cli/look.js';
import { addSeed } from './cli/seed.js';
import { addSetUp } from './cli/set-up.js';
import { exit, Stop, say } from './cli/shared.js';
import { addStories } from './cli/stories.js';
import { Problem } from './problems.js';
import { SettingsInvalid } from './settings.js';

const program = new Command('lunchbox')
  .description('The operator’s command. Settings come from the environment, as for the servers.')
  .enablePositionalOptions() // `books` and `books repair` both take --day
  .exitOverride()
  .showHelpAfterError();
for (const add of [addSetUp, addEvents, addLook, addBatch, addControls, addBooks, addSeed, addStories]) add(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exit.ok : exit.usage;
  else {
    say(
      error instanceof Stop || error instanceof SettingsInvalid || error instanceof Problem
        ? `${error.message}${error instanceof Problem ? `: ${JSON.stringify(error.details.errors ?? '')}` : ''}`
        : `failed: ${(error as Error).message}`,
    );
    process.exitCode = error instanceof Stop ? error.code : error instanceof SettingsInvalid ? exit.usage : exit.failed;
  }
}
