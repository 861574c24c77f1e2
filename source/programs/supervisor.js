// The program of the detached process that owns one run. Before any other module: see there.
import {closeInherited} from './inherited.cjs';

closeInherited();
await import('./supervisor-main.js');
