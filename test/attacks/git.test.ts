import {testArea} from '../support/attack.ts';

testArea('git');
