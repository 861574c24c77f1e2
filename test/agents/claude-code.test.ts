import {testAgent} from '../support/drive-agent.ts';

testAgent('claude-code');
