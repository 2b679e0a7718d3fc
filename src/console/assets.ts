import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Where the build puts the sheet and the script (scripts/build-assets.mjs): the same folder seen from src/
 * and from dist/.
 */
export const assetFolder = fileURLToPath(new URL('../../dist/console/assets/', import.meta.url));
export const ASSET_PREFIX = '/console/assets/';

export interface Assets {
  readonly stylePath: string;
  readonly scriptPath: string;
}

/**
 * The build names each file by a hash of its content: browsers keep it for a year, and a new build has new
 * addresses.
 */
export function findAssets(): Assets {
  const files = existsSync(assetFolder) ? readdirSync(assetFolder) : [];
  const pathOf = (extension: string): string => {
    const name = files.find((file) => file.endsWith(extension));
    if (!name) throw new Error(`${assetFolder} holds no ${extension} file: npm run build`);
    return `${ASSET_PREFIX}${name}`;
  };
  return { stylePath: pathOf('.css'), scriptPath: pathOf('.js') };
}
