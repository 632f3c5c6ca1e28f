export { openZookeeperCoordination, type ZookeeperOptions } from './zookeeper-coordination.ts';
