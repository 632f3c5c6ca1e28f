export { type EmbeddedCoordinationOptions, openEmbeddedCoordination } from './embedded-coordination.ts';
