-- When a tag was last pulled, which instances of the enterprise edition tell.
alter table tags add column pulled_at timestamptz;
