export { coordinationTopic, type LogCoordinationOptions, openLogCoordination } from './log-coordination.ts';
