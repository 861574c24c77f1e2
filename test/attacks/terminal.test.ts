import {testArea} from '../support/attack.ts';

// Nothing in the way: the bytes as they are.
testArea('terminal', Object.fromEntries(['clipboard', 'title-report', 'mode-report', 'hyperlink', 'device-string', 'reversed-name'].map(id => [id, () => true])));
