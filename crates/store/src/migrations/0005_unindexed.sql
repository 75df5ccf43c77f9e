-- Records that came in bulk and whose words are not in the index yet.
CREATE TABLE unindexed (
  record INTEGER PRIMARY KEY
);
