import {testAgent} from '../support/drive-agent.ts';

testAgent('codex');
