import type {ForgeApi} from './forge.ts';
import {github} from './github.ts';
import {gitlab} from './gitlab.ts';
import type {Forge} from './place.ts';

export const forges: Readonly<Record<Forge, ForgeApi>> = {github, gitlab};
