// The only script of the console. Every page works without it.
import { tickTimes } from './clock.js';
import { addCopyButtons } from './copy.js';
import { sendFormsOnce } from './forms.js';
import { listenForKeys } from './keys.js';
import { News } from './news.js';

const news = new News(addCopyButtons);
news.start();
tickTimes(() => news.isPaused);
addCopyButtons(document.querySelector('main') as HTMLElement);
listenForKeys(() => news.togglePause());
sendFormsOnce();
