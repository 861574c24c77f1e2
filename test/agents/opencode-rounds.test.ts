import {testRounds} from '../support/drive-rounds.ts';

testRounds('opencode');
