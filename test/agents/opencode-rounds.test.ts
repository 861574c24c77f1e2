import {testRounds} from '../support/drive-agent.ts';

testRounds('opencode');
