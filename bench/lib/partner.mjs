// A vendor's stand-in that answers every call after so many milliseconds. Arguments: port, milliseconds.
import http from 'node:http';

const [port, delayMs] = process.argv.slice(2).map(Number);
http
  .createServer((request, response) => {
    request.resume();
    request.once('end', () => setTimeout(() => response.end('{"ok":true}'), delayMs));
  })
  .listen(port, '127.0.0.1');
