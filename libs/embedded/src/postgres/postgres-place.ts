/** Where PostgreSQL's programs and data go when root starts it from a folder that no other user can enter. */
export const SHARED_FOLDER = '/var/lib/catena';
