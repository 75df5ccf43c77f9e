import { createRouter, createWebHashHistory } from 'vue-router'

export const router = createRouter({
  history: createWebHashHistory(),
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  routes: [
    { path: '/', name: 'home', component: () => import('./features/home/HomePage.vue') },
    { path: '/meetings', name: 'meetings', component: () => import('./features/meetings/MeetingsPage.vue') },
    { path: '/meetings/new', name: 'new-meeting', component: () => import('./features/meetings/NewMeetingPage.vue') },
    { path: '/drafts/:draft', name: 'editor', props: true, component: () => import('./features/editor/EditorPage.vue') },
    { path: '/drafts/:draft/check', name: 'check', props: true, component: () => import('./features/record/CheckPage.vue') },
    { path: '/drafts/:draft/sign-in', name: 'sign-in', props: true, component: () => import('./features/record/SignInPage.vue') },
    { path: '/meetings/:id', name: 'record', props: true, component: () => import('./features/record/RecordPage.vue') },
    { path: '/people', name: 'people', component: () => import('./features/people/PeoplePage.vue') },
    { path: '/people/paste', name: 'paste', component: () => import('./features/people/PastePage.vue') },
    { path: '/ledgers', name: 'ledgers', component: () => import('./features/ledgers/LedgersPage.vue') },
    { path: '/ledgers/:kind', name: 'ledger', props: true, component: () => import('./features/ledgers/LedgerPage.vue') },
    { path: '/returned', name: 'returned', component: () => import('./features/returned/ReturnedPage.vue') },
    { path: '/sync', name: 'sync', component: () => import('./features/sync/SyncPage.vue') },
    { path: '/conflicts', name: 'conflicts', component: () => import('./features/conflicts/ConflictsPage.vue') },
    { path: '/conflicts/same/:keep/:other', name: 'same-event', props: true, component: () => import('./features/conflicts/SameEventPage.vue') },
    { path: '/conflicts/:kind/:id', name: 'conflict', props: true, component: () => import('./features/conflicts/ConflictPage.vue') },
    { path: '/sync/receipts', name: 'receipts', component: () => import('./features/sync/ReceiptsPage.vue') },
    { path: '/sync/usb', name: 'usb', component: () => import('./features/usb/UsbPage.vue') },
    { path: '/search', name: 'search', component: () => import('./features/search/SearchPage.vue') },
    { path: '/branch', name: 'branch', component: () => import('./features/branch/BranchPage.vue') },
    { path: '/:rest(.*)', redirect: '/' },
  ],
})

// A screen reader hears the new page, and Tab starts at its top.
router.afterEach((to, from) => {
  if (to.path === from.path) return
  requestAnimationFrame(() => document.querySelector<HTMLElement>('main')?.focus({ preventScroll: true }))
})
