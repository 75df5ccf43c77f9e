//! The list of calls. `reads` names the kinds (and `ledger`, `draft`, `session`, `sync`, `progress`, `attachment`) whose change makes an answer stale.

/// Hands the list of calls to the macro `$with`, so that dispatch and TypeScript come from one place.
#[macro_export]
macro_rules! calls {
    ($with:ident) => {
        $with! {
            session(Nothing) -> Session, reads ["session", "organisation"];
            create_branch(CreateBranch) -> BranchCreated;
            confirm_recovery(ConfirmRecovery) -> Nothing;
            open_branch(OpenBranch) -> Nothing;
            open_with_recovery(OpenWithRecovery) -> BranchCreated;
            change_password(ChangePassword) -> Nothing;
            close_branch(Nothing) -> Nothing;
            get_organisation(Nothing) -> OrganisationPage, reads ["organisation"];
            save_organisation(SaveOrganisation) -> Saved;

            home(HomeRequest) -> HomePage, reads ["meeting", "person", "organisation", "explanation", "draft", "sync"];
            explain_duty(ExplainDuty) -> Nothing;
            search(SearchRequest) -> SearchPage, reads ["meeting", "person", "ledger"];

            list_meetings(MeetingQuery) -> MeetingList, reads ["meeting", "draft", "sync"];
            get_meeting(RecordRef) -> MeetingPage, reads ["meeting", "person", "organisation", "draft", "sync"];
            new_meeting(NewMeeting) -> DraftRef;
            edit_meeting(RecordRef) -> DraftRef;
            correct_meeting(RecordWithReason) -> DraftRef;
            get_draft(DraftRef) -> MeetingDraft, reads ["person", "organisation", "meeting"];
            save_draft(SaveDraft) -> DraftSaved;
            discard_draft(DraftRef) -> Nothing;
            restore_draft(SaveDraft) -> Nothing;
            commit_draft(DraftRef) -> RecordRef;
            finalise_meeting(RecordRef) -> Nothing;
            annul_meeting(RecordWithReason) -> Nothing;
            delete_meeting(RecordRef) -> Nothing;
            undelete_meeting(RecordRef) -> Nothing;
            begin_attachment(BeginAttachment) -> UploadBegun;
            put_attachment(PutAttachment) -> Nothing;
            finish_attachment(UploadRef) -> AttachmentForm;
            cancel_attachment(UploadRef) -> Nothing;
            attachment_states(AttachmentsOf) -> AttachmentStates, reads ["meeting", "draft", "sync", "attachment"];
            sign_in_sheet(DraftRef) -> SignInSheet, reads ["person", "organisation", "meeting", "draft"];

            ready_to_print(RecordRef) -> Nothing;

            list_conflicts(Nothing) -> ConflictList, reads ["meeting", "person", "organisation", "explanation", "ledger"];
            conflict_card(ConflictRef) -> ConflictCard, reads ["meeting", "person", "organisation", "explanation", "ledger"];
            settle_conflict(SettleConflict) -> ConflictSettled;
            same_event_card(SameEventRef) -> SameEventCard, reads ["meeting", "person", "organisation"];
            settle_same_event(SettleSameEvent) -> RecordRef;

            list_people(PeopleQuery) -> PeopleList, reads ["person"];
            get_person(RecordRef) -> PersonPage, reads ["person", "meeting"];
            save_person(SavePerson) -> Saved;
            delete_person(RecordRef) -> Nothing;
            undelete_person(RecordRef) -> Nothing;
            preview_roster(PasteRoster) -> RosterPreview;
            import_roster(PasteRoster) -> RosterImported;
            undo_import(BatchRef) -> Nothing;

            list_ledgers(Nothing) -> Vec<LedgerCard>, reads ["ledger"];
            ledger_page(LedgerQuery) -> LedgerPage, reads ["ledger", "person", "sync"];
            ledger_entry(LedgerRef) -> LedgerEntry, reads ["ledger", "sync"];
            save_ledger_entry(SaveLedgerEntry) -> Saved;
            delete_ledger_entry(LedgerRef) -> Nothing;
            undelete_ledger_entry(LedgerRef) -> Nothing;

            returned(Nothing) -> ReturnedPage, reads ["sync", "meeting", "person", "ledger", "organisation", "stream"];
            edit_returned(ReturnedRef) -> ReturnedForm;
            resend_along(Nothing) -> Resent;
            discard_returned(ReturnedRef) -> Nothing;
            undiscard_returned(ReturnedRef) -> Nothing;

            sync_page(Nothing) -> SyncPage, reads ["sync", "meeting", "person", "organisation", "ledger"];
            sync_pill(Nothing) -> SyncPill, reads ["sync", "session", "meeting", "person", "organisation", "ledger"];
            enrol(EnrolRequest) -> EnrolAnswer;
            matching(Nothing) -> Option<MatchingPage>;
            confirm_matching(ConfirmMatching) -> Enrolment;
            exchange(Nothing) -> ExchangeDone;
            exchange_progress(Nothing) -> Option<ExchangeProgress>, reads ["progress"];
            stop_exchange(Nothing) -> Nothing;
            set_metered(SetMetered) -> Nothing;
            carry_photos(Nothing) -> ExchangeDone;
            fetch_photo(PhotoRef) -> Nothing;
            network_is_back(Nothing) -> Nothing;
            answer_losses(AnswerLosses) -> Nothing;
            move_city(MoveCity) -> Nothing;
            receipts(Nothing) -> ReceiptsPage, reads ["sync", "stream"];
            usb_page(Nothing) -> UsbPage, reads ["sync", "session", "attachment", "meeting", "person", "organisation", "ledger"];
            usb_enrol(UsbCode) -> Nothing;
            usb_forget(Nothing) -> Nothing;
        }
    };
}
